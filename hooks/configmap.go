package hooks

import (
	_ "embed" // the scripts

	"github.com/kvrocks/kvrocks-operator/api/v1alpha1"
	"github.com/kvrocks/kvrocks-operator/hooks/kvrocksconf"
)

//go:embed scripts/start.sh
var startText string

//go:embed scripts/recall.sh
var recallText string

//go:embed scripts/probe.sh
var probeText string

//go:embed scripts/stop.sh
var stopText string

//go:embed scripts/auth.sh
var authText string

//go:embed scripts/sentinel.sh
var sentinelText string

// dataConfig returns the ConfigMap of the data pods: the scripts, kvrocks.conf, and for each pod a key with the address that
// it announces.
func (in builder) dataConfig(shards []shard) child {
	data := map[string]string{
		startScript: startText,
		stopScript:  stopText,
		probeScript: probeText,
		authScript:  authText,
		configFile:  kvrocksconf.Text(in.spec, in.cr.MonitoredBy() != ""),

		recallScript: recallText,
	}
	for _, s := range shards {
		for i := range in.ordinals(s) {
			pod := podName(s.name, i)
			if address := in.serviceAddress(pod); address != "" {
				data[pod] = address
			}
		}
	}
	if in.upgrade.dataUngranted {
		data = in.ungrantedConfig(configName(in.name), data)
	}
	config := in.object("v1", "ConfigMap", configName(in.name), v1alpha1.ComponentData)
	config.Data = data
	return config
}

// sentinelConfig returns the ConfigMap of the sentinels: the scripts.
func (in builder) sentinelConfig() child {
	config := in.object("v1", "ConfigMap", configName(in.name), v1alpha1.ComponentSentinel)
	data := map[string]string{startScript: sentinelText, probeScript: probeText, authScript: authText}
	if len(in.upgrade.ungranted) > 0 {
		data = in.ungrantedConfig(configName(in.name), data)
	}
	config.Data = data
	return config
}
