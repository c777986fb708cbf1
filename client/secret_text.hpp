#pragma once

#include "client/process.hpp"
#include "credlease/client.hpp"
#include "secret/secret_buffer.hpp"

namespace credlease {

struct __attribute__((visibility("hidden"))) SecretText::State {
    client::ProcessMark process = client::this_process();
    secret::SecretBuffer bytes;
};

/// The library's own way into a SecretText.
struct Access {
    static SecretText make(secret::SecretBuffer bytes) {
        SecretText made;
        made.state_ = std::make_unique<SecretText::State>();
        made.state_->bytes = std::move(bytes);
        return made;
    }
    static secret::SecretBuffer take(SecretText text) {
        if (!text.state_ || text.state_->process != client::this_process()) return {};
        return std::move(text.state_->bytes);
    }
};

} // namespace credlease
