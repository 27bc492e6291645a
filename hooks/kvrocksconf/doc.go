// Package kvrocksconf makes kvrocks.conf of an instance from its spec: what people may set, what the operator decides, and what is
// applied to running nodes. It is pure: equal specs give equal bytes.
//
//	settings.go          the settings, their lines, which of them are applied live, and which take a restart
//	sizes.go             sizes that follow from the limits of a pod
//	rename_command.go    the setting rename-command, which may stand for several lines
//	check.go             what is refused, with what to write instead
//
// Every spec here has its defaults: see [github.com/kvrocks/kvrocks-operator/api/v1alpha1.KVRocksSpec.WithDefaults].
package kvrocksconf
