// What a configuration says, as all shards use it. Immutable and shared: a reload makes new ones
// and hands them to every shard, which begins to use them between two turns.
#pragma once

#include <boost/smart_ptr/intrusive_ptr.hpp>
#include <boost/smart_ptr/intrusive_ref_counter.hpp>

#include "auth/policy.hpp"
#include <linnet/config.hpp>

namespace linnet::session {

struct Settings : boost::intrusive_ref_counter<Settings> {
  Settings(Config all, auth::PolicyPtr who) : config(std::move(all)), policy(std::move(who)) {}

  const Config config;
  const auth::PolicyPtr policy;
};

using SettingsPtr = boost::intrusive_ptr<const Settings>;

}  // namespace linnet::session
