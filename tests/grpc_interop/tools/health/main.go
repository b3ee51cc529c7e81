// Program health is gRPC's own health service for the test grpc_interop, and a client of it.
//
//	health --port P --control C --name N   serves; N is SERVING; GET /SERVICE/STATUS on port C sets a service's status
//	health --ask ADDRESS --service S       asks once and prints the status, or the code of the error
package main

import (
	"context"
	"flag"
	"fmt"
	"log"
	"net"
	"net/http"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/health"
	"google.golang.org/grpc/health/grpc_health_v1"
	"google.golang.org/grpc/status"
)

func serve(port, control int, name string) error {
	service := health.NewServer()
	service.SetServingStatus(name, grpc_health_v1.HealthCheckResponse_SERVING)
	mux := http.NewServeMux() // the default one has debug pages of gRPC
	mux.HandleFunc("GET /{service}/{status}", func(w http.ResponseWriter, r *http.Request) {
		number, known := grpc_health_v1.HealthCheckResponse_ServingStatus_value[r.PathValue("status")]
		if !known {
			http.Error(w, "no such status", http.StatusBadRequest)
			return
		}
		service.SetServingStatus(r.PathValue("service"), grpc_health_v1.HealthCheckResponse_ServingStatus(number))
	})
	go func() { log.Fatal(http.ListenAndServe(fmt.Sprintf("127.0.0.1:%d", control), mux)) }()
	listener, err := net.Listen("tcp", fmt.Sprintf("127.0.0.1:%d", port))
	if err != nil {
		return err
	}
	server := grpc.NewServer()
	grpc_health_v1.RegisterHealthServer(server, service)
	return server.Serve(listener)
}

func ask(address, service string) error {
	connection, err := grpc.NewClient(address, grpc.WithTransportCredentials(insecure.NewCredentials()))
	if err != nil {
		return err
	}
	defer connection.Close()
	within, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	answer, err := grpc_health_v1.NewHealthClient(connection).Check(within, &grpc_health_v1.HealthCheckRequest{Service: service})
	if err != nil {
		fmt.Println(status.Code(err))
		return nil
	}
	fmt.Println(answer.GetStatus())
	return nil
}

func main() {
	port := flag.Int("port", 0, "of the health service")
	control := flag.Int("control", 0, "port that sets statuses")
	name := flag.String("name", "", "a service that is SERVING from the start")
	address := flag.String("ask", "", "ask the server at this address")
	service := flag.String("service", "", "what to ask for")
	flag.Parse()
	var err error
	if *address != "" {
		err = ask(*address, *service)
	} else {
		err = serve(*port, *control, *name)
	}
	if err != nil {
		log.Fatal(err)
	}
}
