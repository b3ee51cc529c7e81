// strict reads manifests from standard input and decodes each into Kubernetes' own type, strictly: an unknown field, a field twice or
// a value of the wrong type is an error. Kinds that Kubernetes does not have (CRDs) are named on standard output and passed over.
package main

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"os"
	"strings"

	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/serializer"
	"k8s.io/apimachinery/pkg/util/yaml"
	"k8s.io/client-go/kubernetes/scheme"
)

func main() {
	decoder := serializer.NewCodecFactory(scheme.Scheme, serializer.EnableStrict).UniversalDeserializer()
	documents := yaml.NewYAMLReader(bufio.NewReader(os.Stdin))
	bad := 0
	for number := 1; ; number++ {
		document, err := documents.Read()
		if err == io.EOF {
			break
		}
		if err != nil {
			fmt.Fprintf(os.Stderr, "document %d: %v\n", number, err)
			os.Exit(1)
		}
		if isEmpty(document) {
			continue
		}
		_, kind, err := decoder.Decode(document, nil, nil)
		switch {
		case err == nil:
		case runtime.IsNotRegisteredError(err):
			fmt.Println(err)
		default:
			fmt.Fprintf(os.Stderr, "document %d (%v): %v\n", number, kind, err)
			bad++
		}
	}
	if bad > 0 {
		os.Exit(1)
	}
}

func isEmpty(document []byte) bool {
	for _, line := range bytes.Split(document, []byte("\n")) {
		text := strings.TrimSpace(string(line))
		if text != "" && !strings.HasPrefix(text, "#") && text != "---" {
			return false
		}
	}
	return true
}
