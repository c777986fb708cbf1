#include "broker/client_mark.hpp"

#include <sodium.h>

#include <bit>

namespace credlease::broker {

ClientMarks::ClientMarks() { randombytes_buf(key_.data(), key_.size()); }

ClientMark ClientMarks::of(const ClientKey& client) const {
    std::array<unsigned char, sizeof(ClientMark)> hash{};
    crypto_generichash_state state;
    crypto_generichash_init(&state, key_.data(), key_.size(), hash.size());
    for (const auto* text : {&client.owner, &client.host, &client.client_id}) {
        const auto size = std::bit_cast<std::array<unsigned char, sizeof(std::uint64_t)>>(std::uint64_t{text->size()});
        crypto_generichash_update(&state, size.data(), size.size());
        crypto_generichash_update(&state, reinterpret_cast<const unsigned char*>(text->data()), text->size());
    }
    crypto_generichash_final(&state, hash.data(), hash.size());
    return std::bit_cast<ClientMark>(hash);
}

} // namespace credlease::broker
