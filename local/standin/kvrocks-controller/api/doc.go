// Package api is the HTTP API of kvrocks-controller 1.2.0 below /api/v1: what it answers, and with which status and text.
package api
