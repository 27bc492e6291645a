// Package config reads the configuration file of kvrocks-controller, as far as the stand-in uses it.
package config
