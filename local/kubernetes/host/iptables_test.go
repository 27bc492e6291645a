package host

import (
	"testing"

	"github.com/stretchr/testify/assert"
)

func TestRemovalScriptRemovesOnlyKubernetesChainsAndJumps(t *testing.T) {
	tests := map[string]struct{ save, want string }{
		"nothing of Kubernetes": {
			save: "*filter\n:INPUT ACCEPT [0:0]\n:MINE - [0:0]\n-A INPUT -j MINE\nCOMMIT\n",
		},
		"jumps go first, then every chain is emptied and deleted": {
			save: "*nat\n:PREROUTING ACCEPT [3:4]\n:KUBE-SERVICES - [1:2]\n:KUBE-SVC-A - [0:0]\n:MINE - [0:0]\n" +
				"-A PREROUTING -m comment --comment \"kubernetes service portals\" -j KUBE-SERVICES\n" +
				"-A PREROUTING -j MINE\n-A KUBE-SERVICES -d 10.96.0.1/32 -j KUBE-SVC-A\nCOMMIT\n",
			want: "*nat\n:KUBE-SERVICES - [0:0]\n:KUBE-SVC-A - [0:0]\n" +
				"-D PREROUTING -m comment --comment \"kubernetes service portals\" -j KUBE-SERVICES\n" +
				"-X KUBE-SERVICES\n-X KUBE-SVC-A\nCOMMIT\n",
		},
		"each table is a transaction of its own": {
			save: "*mangle\n:KUBE-A - [0:0]\nCOMMIT\n*raw\n:PREROUTING ACCEPT [0:0]\nCOMMIT\n*filter\n:KUBE-B - [0:0]\nCOMMIT\n",
			want: "*mangle\n:KUBE-A - [0:0]\n-X KUBE-A\nCOMMIT\n*filter\n:KUBE-B - [0:0]\n-X KUBE-B\nCOMMIT\n",
		},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			assert.Equal(t, tt.want, removalScript(tt.save))
		})
	}
}
