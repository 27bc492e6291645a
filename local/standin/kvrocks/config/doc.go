// Package config is the configuration of a stand-in server: the file format of kvrocks.conf, options on the command
// line, and CONFIG GET, SET and REWRITE with the real program's refusals.
package config
