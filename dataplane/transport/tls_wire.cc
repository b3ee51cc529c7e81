#include "dataplane/transport/tls_wire.h"

#include <openssl/bio.h>

#include <algorithm>
#include <cstring>

#include "common/base/check.h"

namespace weir::transport {

TlsWire::TlsWire() {
  method_ = BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "weir wire");
  WEIR_CHECK(method_ != nullptr);
  BIO_meth_set_write(method_, &TlsWire::on_write);
  BIO_meth_set_read(method_, &TlsWire::on_read);
  BIO_meth_set_ctrl(method_, &TlsWire::on_control);
  bio_ = BIO_new(method_);
  WEIR_CHECK(bio_ != nullptr);
  BIO_set_data(bio_, this);
  BIO_set_init(bio_, 1);
}

TlsWire::~TlsWire() {
  BIO_free(bio_);
  BIO_meth_free(method_);
}

bio_st* TlsWire::share() {
  BIO_up_ref(bio_);
  return bio_;
}

std::string_view TlsWire::take_output() {
  const std::string_view out(output_.get(), output_size_);
  output_size_ = 0;
  return out;
}

int TlsWire::on_write(bio_st* bio, const char* data, int size) {
  auto& wire = *static_cast<TlsWire*>(BIO_get_data(bio));
  BIO_clear_retry_flags(bio);
  if (size <= 0) return 0;
  if (wire.output_ == nullptr) wire.output_.reset(new char[kRoom]);
  const auto bytes = static_cast<std::size_t>(size);
  if (bytes > kRoom - wire.output_size_) {
    BIO_set_retry_write(bio);
    return -1;
  }
  std::memcpy(wire.output_.get() + wire.output_size_, data, bytes);
  wire.output_size_ += bytes;
  return size;
}

int TlsWire::on_read(bio_st* bio, char* data, int size) {
  auto& wire = *static_cast<TlsWire*>(BIO_get_data(bio));
  BIO_clear_retry_flags(bio);
  if (size <= 0) return 0;
  const std::size_t bytes = std::min(wire.input_.size(), static_cast<std::size_t>(size));
  if (bytes == 0) {
    BIO_set_retry_read(bio);
    return -1;
  }
  std::memcpy(data, wire.input_.data(), bytes);
  wire.input_.remove_prefix(bytes);
  return static_cast<int>(bytes);
}

long TlsWire::on_control(bio_st*, int command, long, void*) {
  return command == BIO_CTRL_FLUSH || command == BIO_CTRL_DUP ? 1 : 0;
}

}  // namespace weir::transport
