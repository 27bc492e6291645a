package plan_test

import "testing"

func TestPlacingReplicas(t *testing.T) {
	run(t, []scenario{
		{
			name: "one that was in sync and waits to be replaced stays in sync, whatever the master writes",
			given: `
				record orders-1
				orders-0 ->orders-1 seq=98 insync up
				orders-1 master seq=100 had=100 serving`,
			want: `
				label orders-0 replica
				attach orders-0
				= node orders-0 role=replica link=unattached attached=false`,
		},
		{
			name: "a former master that still takes the new one for its replica is told again",
			given: `
				record orders-1
				failover orders-0 orders-1
				journalled 5s
				orders-0 dead lists=10.96.0.1
				orders-1 master serving`,
			want: `
				follow orders-0 ->orders-1
				drop orders-0`,
		},
		{
			name: "it is replaced when it feeds a process that is gone without a word",
			given: `
				record orders-1
				failover orders-0 orders-1
				orders-0 dead lists=10.96.0.1
				orders-1 master serving`,
			want: `
				replace orders-0
				= event PodReplaced`,
		},
		{
			name: "not while its volume is full: it might not start again",
			given: `
				record orders-1
				failover orders-0 orders-1
				orders-0 dead lists=10.96.0.1 disk=1000/1000
				orders-1 master serving`,
			want: `
				follow orders-0 ->orders-1
				drop orders-0`,
		},
		{
			name: "nor when its feed is to another member",
			given: `
				record orders-1
				failover orders-0 orders-1
				orders-0 dead lists=10.96.0.2
				orders-1 master serving`,
			want: `
				follow orders-0 ->orders-1
				drop orders-0`,
		},
		{
			name: "a replica is attached when its link is up and it has caught up",
			given: `
				record orders-0
				orders-0 master seq=100 serving
				orders-1 ->orders-0 seq=100 up`,
			want: `
				label orders-1 replica
				attach orders-1`,
		},
		{
			name: "a replica whose link is down is not attached",
			given: `
				record orders-0
				orders-0 master seq=100 serving
				orders-1 ->orders-0 seq=100`,
			want: `
				= node orders-1 role= link=unattached attached=false`,
		},
		{
			name: "a replica in the middle of a full sync is not attached",
			given: `
				record orders-0
				orders-0 master seq=100 serving
				orders-1 ->orders-0 seq=100 up syncing`,
			want: `
				= node orders-1 role= link=syncing attached=false`,
		},
		{
			name: "a link that is up but has not caught up is not enough",
			given: `
				record orders-0
				orders-0 master seq=100 serving
				orders-1 ->orders-0 seq=20 up`,
			want: ``,
		},
		{
			name: "a replica that has heard nothing of a hung master counts as down",
			given: `
				record orders-0
				orders-0 master seq=100 serving
				orders-1 ->orders-0 seq=100 placed silent-link`,
			want: `
				= ReplicationHealthy False ReplicasMissing
				= node orders-1 role= link=down attached=true`,
		},
		{
			name: "a full sync takes an attached replica out of service",
			given: `
				record orders-0
				orders-0 master seq=100 serving
				orders-1 ->orders-0 seq=100 placed syncing`,
			want: `
				label orders-1
				detach orders-1`,
		},
		{
			name: "a replica that restarted loses its stale gate before it is pointed at the master",
			given: `
				record orders-0
				orders-0 master seq=100 serving
				orders-1 self seq=90 placed`,
			want: `
				label orders-1
				detach orders-1
				follow orders-1 ->orders-0
				= intent true`,
		},
		{
			name: "a stray master is cut off and follows",
			given: `
				record orders-0
				orders-0 master seq=100 serving
				orders-1 master seq=120 attached label=replica`,
			want: `
				label orders-1
				detach orders-1
				follow orders-1 ->orders-0
				drop orders-1`,
		},
		{
			name: "a replica that follows another member is corrected",
			given: `
				record orders-0
				orders-0 master serving
				orders-1 ->orders-2 placed
				orders-2 ->orders-0 placed`,
			want: `
				follow orders-1 ->orders-0`,
		},
		{
			name: "a sentinel that moves the replicas is not disturbed",
			given: `
				record orders-0
				orders-0 master serving
				orders-1 ->orders-2 placed
				orders-2 ->orders-0 placed
				watch-0 ->orders-0 electing
				watch-1 ->orders-0
				watch-2 ->orders-0`,
			want: ``,
		},
		{
			name: "a pod that is being deleted is not placed any more",
			given: `
				record orders-0
				orders-0 master serving
				orders-1 self deleting`,
			want: ``,
		},
		{
			name: "a settled instance plans nothing",
			given: `
				record orders-0
				orders-0 master serving
				orders-1 ->orders-0 placed
				orders-2 ->orders-0 placed
				watch-0 ->orders-0
				watch-1 ->orders-0
				watch-2 ->orders-0`,
			want: `
				= intent false
				= again 0s
				= PrimaryAvailable True MasterServing
				= ReplicationHealthy True ReplicasLinked
				= SentinelAgreed True Agreed
				= CredentialsApplied True Applied
				= node orders-1 role=replica link=up attached=true`,
		},
	})
}

func TestPasswordsAndSettings(t *testing.T) {
	run(t, []scenario{
		{
			name: "a new password goes to the replicas, then the master, then at once to the sentinels",
			given: `
				record orders-0
				orders-0 master serving stale-password
				orders-1 ->orders-0 placed stale-password
				watch-0 ->orders-0 stale-auth
				watch-1 ->orders-0
				watch-2 nothing`,
			want: `
				password orders-1
				password orders-0
				tune watch-0 quorum=2
				tune watch-1 quorum=2
				monitor watch-2 ->orders-0 quorum=2
				= CredentialsApplied False Applying`,
		},
		{
			name: "a replica with a wrong masterauth gets the right one",
			given: `
				record orders-0
				orders-0 master serving
				orders-1 ->orders-0 attached label=replica config=masterauth-matches:no`,
			want: `
				password orders-1`,
		},
		{
			name: "a node that refuses every password is reported and left alone",
			given: `
				record orders-0
				orders-0 master serving
				orders-1 refused attached label=replica stale-password`,
			want: `
				= CredentialsApplied False Refused`,
		},
		{
			name: "a setting is applied to the nodes that have it otherwise",
			given: `
				record orders-0
				config maxclients 10000
				orders-0 master serving config=maxclients:10000
				orders-1 ->orders-0 placed config=maxclients:5000`,
			want: `
				set orders-1 map[maxclients:10000]
				= ConfigApplied False Applying`,
		},
		{
			name: "a size is compared by what it means",
			given: `
				record orders-0
				config max-db-size 1gb
				orders-0 master serving config=max-db-size:1073741824`,
			want: `
				= ConfigApplied True Applied`,
		},
		{
			name: "a refused setting is reported and not tried again",
			given: `
				record orders-0
				config maxclients x
				orders-0 master serving config=maxclients:5000 refuses=maxclients`,
			want: `
				= ConfigApplied False Refused
				= ConfigApplied: orders-0 refuses maxclients: ERR no`,
		},
		{
			name: "a setting that the node takes only when it starts is told apart from a wrong value",
			given: `
				record orders-0
				config some-day 7
				orders-0 master serving config=some-day:1 frozen=some-day`,
			want: `
				= ConfigApplied False RestartRequired
				= ConfigApplied: orders-0 takes some-day only when it starts: restart the pods, for example with kubectl rollout restart on their StatefulSets`,
		},
		{
			name: "settings that kvrocks does not know are named, ignored and warned of",
			given: `
				record orders-0
				config tcp-keepalive 300
				config hz 10
				config maxclients 100
				orders-0 master serving config=maxclients:100`,
			want: `
				= ConfigApplied True UnknownSettings
				= ConfigApplied: kvrocks does not know hz, tcp-keepalive and ignores them; correct the names in spec.kvrocksConfig or leave them out
				= event UnknownSettings`,
		},
		{
			name: "of which a node that was not asked stays known",
			given: `
				record orders-0
				config hz 10
				unknown hz
				unknown gone
				orders-0 master serving
				orders-1 ->orders-0 placed config`,
			want: `
				= unknown hz`,
		},
		{
			name: "the master takes a setting last: what it then writes may be nothing that a replica without it understands",
			given: `
				record orders-0
				config repl-namespace-enabled yes
				orders-0 master serving config=repl-namespace-enabled:no
				orders-1 ->orders-0 placed config=repl-namespace-enabled:no
				orders-2 ->orders-0 placed config`,
			want: `
				set orders-1 map[repl-namespace-enabled:yes]
				set orders-0 map[repl-namespace-enabled:yes]
				= ConfigApplied False Applying`,
		},
		{
			name: "the setting that others need comes first",
			given: `
				record orders-0
				config rocksdb.blob_file_size 1000
				config rocksdb.enable_blob_files yes
				orders-0 master serving config=rocksdb.blob_file_size:1 config=rocksdb.enable_blob_files:no`,
			want: `
				set orders-0 map[rocksdb.enable_blob_files:yes]
				set orders-0 map[rocksdb.blob_file_size:1000]`,
		},
		{
			name: "a wrong announced address is corrected",
			given: `
				record orders-0
				orders-0 master serving config=replica-announce-ip:10.244.0.0`,
			want: `
				set orders-0 map[replica-announce-ip:10.96.0.0]`,
		},
	})
}
