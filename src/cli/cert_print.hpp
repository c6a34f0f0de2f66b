// What `linnet cert` says.
#pragma once

#include <string>
#include <vector>

#include "cli/options.hpp"
#include "tls/authority.hpp"

namespace linnet::cli {

void print_authority(const CertOptions& options, const tls::Issued& issued);

/// Every line is TOML: the listener, and the rest as comments.
void print_server(const CertOptions& options, const std::vector<std::string>& names,
                  const tls::Issued& issued);

void print_client(const CertOptions& options, const tls::Issued& issued);

void print_psk(const CertOptions& options, const tls::PskMade& made);

void print_revoked(const tls::Revoked& revoked);

/// Text for people, or one line of JSON. `error` is what is wrong with a file after these.
struct ShownFile {
  std::string file;
  std::vector<tls::CertificateSummary> certificates;
};
void print_certificates(const CertOptions& options, const std::vector<ShownFile>& files,
                        const std::string& error);

}  // namespace linnet::cli
