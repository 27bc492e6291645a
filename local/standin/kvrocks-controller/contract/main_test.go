package contract

import (
	"flag"
	"os"
	"testing"

	"github.com/kvrocks/kvrocks-operator/local/standin/programtest"
)

// programs are the binaries that the tests start. They are found once, before the tests.
var programs struct{ controller, kvrocks, etcd string }

// parallel tests run at a time: they wait most of the time, so more than there are processors.
const parallel = "5"

func TestMain(m *testing.M) { os.Exit(programtest.Run(m, prepare)) }

func prepare(folder string) (err error) {
	flag.Parse()
	if err := flag.Set("test.parallel", parallel); err != nil {
		return err
	}
	if programs.controller, err = programtest.Find("KVROCKS_CONTROLLER_BIN", folder, "kvrocks-controller", "../cmd"); err != nil {
		return err
	}
	if programs.kvrocks, err = programtest.Find("KVROCKS_BIN", folder, "kvrocks", "../../kvrocks/cmd"); err != nil {
		return err
	}
	tools, err := programtest.Tools()
	if err != nil {
		return err
	}
	programs.etcd = tools.Path("etcd")
	return nil
}
