// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cctype>
#include <chrono>
#include <functional>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

namespace offshoot::test {

/// What a server of tests does with one request: bytes as they are, then the end of the connection or another request.
struct Reply {
  std::string bytes{};
  bool close = true;
  bool reset = false;  ///< RST instead of an orderly end
  std::chrono::milliseconds after{0};
};

/// "HTTP/1.1 200 OK" with a length and a body.
inline Reply ok(const std::string& body, const std::string& status = "200 OK", const std::string& fields = "") {
  return {.bytes = "HTTP/1.1 " + status + "\r\n" + fields + "Content-Length: " + std::to_string(body.size()) +
                   "\r\n\r\n" + body,
          .close = false};
}

/// A small real server on a free port of 127.0.0.1, a thread for each connection.
class HttpServer {
 public:
  /// Gets the whole request: its lines, an empty line, its body.
  using Handler = std::function<Reply(const std::string& request)>;

  explicit HttpServer(Handler handler) : handler_(std::move(handler)), listener_(::socket(AF_INET, SOCK_STREAM, 0)) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    ::bind(listener_, reinterpret_cast<sockaddr*>(&address), sizeof address);
    ::listen(listener_, 64);
    socklen_t size = sizeof address;
    ::getsockname(listener_, reinterpret_cast<sockaddr*>(&address), &size);
    port_ = ntohs(address.sin_port);
    acceptor_ = std::thread([this] { accept_all(); });
  }
  HttpServer(const HttpServer&) = delete;
  HttpServer& operator=(const HttpServer&) = delete;
  ~HttpServer() {
    ::shutdown(listener_, SHUT_RDWR);
    ::close(listener_);
    acceptor_.join();
    {
      const std::lock_guard lock(mutex_);
      for (const int connection : open_) ::shutdown(connection, SHUT_RDWR);
    }
    for (auto& thread : threads_) thread.join();
  }

  [[nodiscard]] std::string url(const std::string& path = "/") const {
    return "http://127.0.0.1:" + std::to_string(port_) + path;
  }
  [[nodiscard]] int port() const { return port_; }
  /// All requests up to now.
  [[nodiscard]] std::vector<std::string> requests() const {
    const std::lock_guard lock(mutex_);
    return requests_;
  }
  [[nodiscard]] int connections() const { return connections_; }

 private:
  void accept_all() {
    while (true) {
      const int connection = ::accept(listener_, nullptr, nullptr);
      if (connection < 0) return;
      ++connections_;
      const std::lock_guard lock(mutex_);
      open_.push_back(connection);
      threads_.emplace_back([this, connection] { serve(connection); });
    }
  }

  void serve(int connection) {
    std::string buffer;
    bool open = true;
    while (open) {
      auto end = buffer.find("\r\n\r\n");
      while (end == std::string::npos && more(connection, buffer)) end = buffer.find("\r\n\r\n");
      if (end == std::string::npos) break;
      std::string head = buffer.substr(0, end);
      std::ranges::transform(head, head.begin(), [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
      std::size_t length = 0;
      if (const auto at = head.find("\r\ncontent-length:"); at != std::string::npos) {
        length = std::stoul(head.substr(at + 17));
      }
      if (head.find("expect: 100-continue") != std::string::npos) write(connection, "HTTP/1.1 100 Continue\r\n\r\n");
      while (buffer.size() < end + 4 + length && more(connection, buffer)) {
      }
      const std::string request = buffer.substr(0, end + 4 + length);
      buffer.erase(0, end + 4 + length);
      {
        const std::lock_guard lock(mutex_);
        requests_.push_back(request);
      }
      const Reply reply = handler_(request);
      std::this_thread::sleep_for(reply.after);
      write(connection, reply.bytes);
      if (reply.reset) {
        const linger now{1, 0};
        ::setsockopt(connection, SOL_SOCKET, SO_LINGER, &now, sizeof now);
      }
      open = !reply.close && !reply.reset;
    }
    const std::lock_guard lock(mutex_);
    std::erase(open_, connection);
    ::close(connection);
  }

  static bool more(int connection, std::string& buffer) {
    char bytes[65536];
    const ssize_t n = ::recv(connection, bytes, sizeof bytes, 0);
    if (n <= 0) return false;
    buffer.append(bytes, static_cast<std::size_t>(n));
    return true;
  }

  static void write(int connection, std::string_view bytes) {
    while (!bytes.empty()) {
      const ssize_t n = ::send(connection, bytes.data(), bytes.size(), MSG_NOSIGNAL);
      if (n <= 0) return;
      bytes.remove_prefix(static_cast<std::size_t>(n));
    }
  }

  Handler handler_;
  int listener_;
  int port_ = 0;
  std::thread acceptor_;
  mutable std::mutex mutex_;
  std::vector<std::thread> threads_;
  std::vector<int> open_;
  std::vector<std::string> requests_;
  std::atomic<int> connections_ = 0;
};

}  // namespace offshoot::test
