#pragma once

#include <rocksdb/env.h>
#include <rocksdb/options.h>

#include <memory>
#include <mutex>
#include <string>

namespace credlease::store {

/// RocksDB's own log would be a file that nobody reads. Of what it says one thing counts: which file was damaged, since
/// the status does not name it.
class DamageLog final : public rocksdb::Logger {
  public:
    DamageLog() : Logger(rocksdb::InfoLogLevel::WARN_LEVEL) {}
    using rocksdb::Logger::Logv;
    void Logv(const char* format, va_list values) override;
    [[nodiscard]] std::string damage() const;

  private:
    mutable std::mutex mutex_; ///< RocksDB logs from threads of its own
    std::string damage_;
};

[[nodiscard]] rocksdb::Options make_options(std::shared_ptr<DamageLog> log);

} // namespace credlease::store
