#pragma once

#include <cstddef>
#include <memory>
#include <string_view>

struct bio_st;
struct bio_method_st;

namespace weir::transport {

// What lies between OpenSSL and the sockets of one worker: OpenSSL reads the ciphertext of one recv
// from here and leaves the ciphertext of one send here, so that a record costs no system call of
// its own. One BIO serves all sessions of the worker, because no call into OpenSSL outlasts a
// handler: an idle session owns none. One thread.
class TlsWire {
 public:
  // Most plaintext encrypted between two take_output(), and the room for it with record overhead.
  static constexpr std::size_t kBatch = 256 * 1024;
  static constexpr std::size_t kRoom = kBatch + 64 * 1024;

  TlsWire();
  ~TlsWire();
  TlsWire(const TlsWire&) = delete;
  TlsWire& operator=(const TlsWire&) = delete;

  bio_st* share();  // one more reference, for a session to own
  // What the next calls into OpenSSL read; borrowed until they have returned.
  void feed(std::string_view ciphertext) { input_ = ciphertext; }
  // Ciphertext made since the last call; valid until the next call into OpenSSL.
  std::string_view take_output();
  std::size_t output_size() const { return output_size_; }

 private:
  static int on_write(bio_st* bio, const char* data, int size);
  static int on_read(bio_st* bio, char* data, int size);
  static long on_control(bio_st* bio, int command, long number, void* pointer);

  std::string_view input_;
  std::unique_ptr<char[]> output_;  // made at first use
  std::size_t output_size_ = 0;
  bio_method_st* method_ = nullptr;
  bio_st* bio_ = nullptr;
};

}  // namespace weir::transport
