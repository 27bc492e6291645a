package cluster

import "context"

type noPrograms struct{}

func (noPrograms) Path(name string) string     { return "/programs/" + name }
func (noPrograms) Build(context.Context) error { return nil }

type noImages struct{}

func (noImages) ImportPause(context.Context) error { return nil }
func (noImages) PauseImage() string                { return "localhost/pause:1" }
