#include "session/wire_forms.hpp"

#include "base/assert.hpp"

namespace linnet::session {

const WireForms::Form& WireForms::get(const mqtt::OutgoingPublish& publish, Version version) {
  const std::size_t at = (version == Version::v5 ? std::size_t{6} : std::size_t{0}) +
                         static_cast<std::size_t>(publish.qos) * 2 +
                         (publish.retain ? std::size_t{1} : std::size_t{0});
  Form& form = forms_[at];
  if (form.fan_out == fan_out_) {
    LINNET_ASSERT(form.topic_size == publish.topic.size());
    LINNET_ASSERT(form.payload_size == publish.payload.size());
    return form;
  }
  form.topic_size = publish.topic.size();
  form.payload_size = publish.payload.size();
  form.fan_out = fan_out_;
  form.layout = mqtt::layout_of(publish, version);
  form.head.resize(form.layout.head_size);
  Writer out(form.head.data());
  mqtt::write_publish_head(out, publish, form.layout, version);
  return form;
}

}  // namespace linnet::session
