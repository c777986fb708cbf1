#pragma once

#include "wire/json_writer.hpp"

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace credlease::wire {

/// RFC 3986 §2.1: all but unreserved characters become %XX.
void write_url_encoded(SecretJsonWriter& writer, std::string_view text);

/// RFC 4648 §4, or without padding §5, over several texts as if they were one. Call `finish` behind the last.
class Base64Writer {
  public:
    enum class Alphabet : std::uint8_t { standard, url };

    explicit Base64Writer(SecretJsonWriter& writer, Alphabet alphabet = Alphabet::standard)
        : writer_(writer), alphabet_(alphabet) {}
    ~Base64Writer();
    Base64Writer(const Base64Writer&) = delete;
    Base64Writer& operator=(const Base64Writer&) = delete;

    void add(std::string_view text);
    void finish();

  private:
    void flush(std::size_t characters);

    SecretJsonWriter& writer_;
    Alphabet alphabet_;
    std::uint32_t bits_ = 0;
    std::size_t held_ = 0; ///< bytes in `bits_`
};

} // namespace credlease::wire
