#include "dataplane/stream/udp_proxy.h"

#include <netinet/in.h>
#include <sys/epoll.h>
#include <sys/socket.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <utility>

#include "dataplane/stream/udp_address.h"

namespace weir::stream {
namespace {

constexpr std::size_t kLargest = 64 * 1024;  // datagram
constexpr std::size_t kBatch = worker::Worker::kScratch / kLargest;
constexpr int kBatchesPerEvent = 8;  // then the other sockets have their turn
constexpr int kAnswersPerEvent = 32;

}  // namespace

struct UdpProxy::Datagram {
  std::string_view bytes;
  base::SocketAddress client;
  UdpLocal local;  // which of our addresses it was sent to
};

struct UdpProxy::Flow final : loop::IoHandler {
  explicit Flow(UdpProxy& owner) : proxy(owner) {}
  void on_io(std::uint32_t) override { proxy.read_answers(*this); }

  UdpProxy& proxy;
  std::string key;
  base::SocketAddress client;
  UdpLocal local;
  base::UniqueFd fd;
  loop::IoToken token;
  std::list<Flow*>::iterator place;
  std::string endpoint;
  upstream::Use use;  // its place there
  std::string cluster;
  base::TimePoint started;
  base::TimePoint used;
  std::uint32_t expected = 0;  // answers a datagram; 0: any number
  std::uint64_t datagrams = 0;
  std::uint64_t answers = 0;
  std::uint64_t received = 0;  // bytes
  std::uint64_t sent = 0;
};

UdpProxy::UdpProxy(exchange::ExchangeContext& context, Choice& choice, std::string listener,
                   base::UniqueFd socket, std::size_t most_flows)
    : context_(context),
      choice_(choice),
      counters_(context.recorder.stream(listener)),
      listener_(std::move(listener)),
      socket_(std::move(socket)),
      most_flows_(most_flows),
      timer_(context.worker.loop().timers(), *this) {
  ask_for_local(socket_.get());
  token_ = context_.worker.loop().add(socket_.get(), *this, EPOLLIN);
}

UdpProxy::~UdpProxy() {
  while (!order_.empty()) end(*order_.front(), "the listener was removed");
  context_.worker.loop().remove(token_);
}

void UdpProxy::on_io(std::uint32_t) {
  for (int i = 0; i < kBatchesPerEvent; ++i) {
    if (receive() < kBatch) return;
  }
}

std::size_t UdpProxy::receive() {
  const std::span<char> scratch = context_.worker.scratch();
  std::array<mmsghdr, kBatch> messages{};
  std::array<iovec, kBatch> parts{};
  std::array<sockaddr_storage, kBatch> from{};
  std::array<UdpControl, kBatch> control{};
  for (std::size_t i = 0; i < kBatch; ++i) {
    parts[i] = {scratch.data() + i * kLargest, kLargest};
    msghdr& header = messages[i].msg_hdr;
    header.msg_iov = &parts[i];
    header.msg_iovlen = 1;
    header.msg_name = &from[i];
    header.msg_namelen = sizeof from[i];
    header.msg_control = control[i].bytes.data();
    header.msg_controllen = control[i].bytes.size();
  }
  const int got = recvmmsg(socket_.get(), messages.data(), kBatch, MSG_DONTWAIT, nullptr);
  const auto count = static_cast<std::size_t>(got < 0 ? 0 : got);
  for (std::size_t i = 0; i < count; ++i) {
    const msghdr& header = messages[i].msg_hdr;
    take({{static_cast<const char*>(parts[i].iov_base), messages[i].msg_len},
          base::SocketAddress(reinterpret_cast<const sockaddr*>(&from[i])),
          local_of(header)});
  }
  return count;
}

void UdpProxy::take(const Datagram& datagram) {
  if (datagram.client.ip_bytes().empty()) return;
  std::string key(datagram.client.ip_bytes());
  key += static_cast<char>(datagram.client.port() >> 8);
  key += static_cast<char>(datagram.client.port() & 0xff);
  key += datagram.local.key();
  const auto known = flows_.find(key);
  Flow* flow = known != flows_.end() ? known->second.get() : open(datagram, key);
  if (flow == nullptr) return;
  counters_.received.add(datagram.bytes.size());
  ++flow->datagrams;
  flow->received += datagram.bytes.size();
  touch(*flow);
  if (send(flow->fd.get(), datagram.bytes.data(), datagram.bytes.size(), MSG_NOSIGNAL) >= 0) return;
  if (errno == EAGAIN || errno == ENOBUFS || errno == EMSGSIZE) return;
  // An earlier datagram was answered with "port unreachable": the next one tries another endpoint.
  counters_.failed.add(1);
  const int refused = errno;
  flow->use.connect_failed(context_.worker.loop().now());
  end(*flow, base::system_error("send to " + flow->endpoint, refused).text);
}

UdpProxy::Flow* UdpProxy::open(const Datagram& datagram, const std::string& key) {
  const model::Listener* listener = context_.live->listeners.find(listener_);
  if (draining_ || listener == nullptr) return nullptr;
  const model::WeightedBackend* backend = choice_.backend(listener_, listener->stream);
  if (backend == nullptr || backend->invalid) {
    counters_.failed.add(1);
    return nullptr;
  }
  Choice::Picked picked = choice_.endpoint(backend->cluster, datagram.client.ip());
  if (picked.endpoint == nullptr) {
    counters_.failed.add(1);
    return nullptr;
  }
  if (flows_.size() >= most_flows_) end(*order_.front(), "too many flows");
  auto fd = connect(*picked.endpoint);
  if (!fd.ok()) {
    counters_.failed.add(1);
    return nullptr;
  }
  auto flow = std::make_unique<Flow>(*this);
  flow->key = key;
  flow->client = datagram.client;
  flow->local = datagram.local;
  flow->fd = std::move(fd).value();
  flow->endpoint = picked.endpoint->id;
  flow->use = std::move(picked.use);
  flow->cluster = backend->cluster;
  flow->started = flow->used = context_.worker.loop().now();
  flow->expected = listener->stream.responses;
  flow->token = context_.worker.loop().add(flow->fd.get(), *flow, EPOLLIN);
  flow->place = order_.insert(order_.end(), flow.get());
  idle_timeout_ = listener->stream.idle_timeout;
  counters_.accepted.add(1);
  counters_.active.add(1);
  Flow* out = flow.get();
  flows_.emplace(key, std::move(flow));
  watch();
  return out;
}

// A connected socket: the kernel takes datagrams only of this endpoint, and tells of a closed port.
base::Result<base::UniqueFd> UdpProxy::connect(const upstream::Endpoint& endpoint) {
  const auto make = [&] {
    return base::UniqueFd(
        socket(endpoint.address.family(), SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  };
  base::UniqueFd fd = make();
  if (!fd.valid() && (errno == EMFILE || errno == ENFILE) && !order_.empty()) {
    end(*order_.front(), "descriptors ran out");
    fd = make();
  }
  if (!fd.valid()) return base::system_error("socket", errno);
  if (::connect(fd.get(), endpoint.address.data(), endpoint.address.size()) != 0) {
    return base::system_error("connect " + endpoint.id, errno);
  }
  return fd;
}

void UdpProxy::read_answers(Flow& flow) {
  const std::span<char> scratch = context_.worker.scratch();
  for (int i = 0; i < kAnswersPerEvent; ++i) {
    const ssize_t got = recv(flow.fd.get(), scratch.data(), kLargest, 0);
    if (got < 0 && (errno == EAGAIN || errno == EINTR)) return;
    if (got < 0) {
      counters_.failed.add(1);
      return end(flow, base::system_error("receive from " + flow.endpoint, errno).text);
    }
    if (!pass_answer(flow, static_cast<std::size_t>(got))) return;
  }
}

// False when it was the last one that the flow waited for.
bool UdpProxy::pass_answer(Flow& flow, std::size_t bytes) {
  send_from(socket_.get(), flow.local, flow.client, {context_.worker.scratch().data(), bytes});
  counters_.sent.add(bytes);
  flow.sent += bytes;
  ++flow.answers;
  touch(flow);
  if (flow.expected == 0 || flow.answers < flow.expected * flow.datagrams) return true;
  end(flow, {});
  return false;
}

void UdpProxy::touch(Flow& flow) {
  flow.used = context_.worker.loop().now();
  order_.splice(order_.end(), order_, flow.place);
}

void UdpProxy::watch() {
  if (timer_.armed() || order_.empty() || idle_timeout_ <= base::Duration::zero()) return;
  timer_.arm(order_.front()->used + idle_timeout_);
}

void UdpProxy::on_timer() {
  const base::TimePoint now = context_.worker.loop().now();
  while (!order_.empty() && now - order_.front()->used >= idle_timeout_) {
    end(*order_.front(), {});
  }
  watch();
}

void UdpProxy::end(Flow& flow, std::string_view why) {
  record(flow, why);
  counters_.active.sub(1);
  context_.worker.loop().release(flow.token);
  order_.erase(flow.place);
  const auto at = flows_.find(flow.key);
  // Its own call may still be running.
  struct Old final : worker::Buried {
    std::unique_ptr<Flow> flow;
  };
  auto old = std::make_unique<Old>();
  old->flow = std::move(at->second);
  old->flow->fd.reset();
  flows_.erase(at);
  context_.worker.bury(std::move(old));
}

void UdpProxy::record(const Flow& flow, std::string_view why) {
  observe::ExchangeRecord record;
  const base::TimePoint now = context_.worker.loop().now();
  record.started = flow.started;
  record.request_time = record.upstream_time = now - flow.started;
  record.status = why.empty() || flow.answers > 0 ? 200 : 502;
  record.request_bytes = flow.received;
  record.response_bytes = flow.sent;
  record.protocol = "UDP";
  record.listener = listener_;
  const std::string client = flow.client.ip();
  record.client = client;
  record.upstream = flow.endpoint;
  record.cluster = flow.cluster;
  record.attempts = 1;
  record.error = why;
  context_.recorder.record_stream(record);
}

}  // namespace weir::stream
