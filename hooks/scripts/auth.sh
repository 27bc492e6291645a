# Sourced by the other scripts. The function password prints the password of this instance, if there is one, without the line
# ends that an editor leaves behind it, LF and CRLF: the sidecar drops them as well. The client ("$cli": redis-cli, or valkey-cli in an
# image that has no other) finds it in the environment.
password() {
  if [ ! -f /etc/kvrocks-auth/password ]; then return 0; fi
  text=$(cat /etc/kvrocks-auth/password) # drops every LF at the end
  cr=$(printf '\r')
  while [ "$text" != "${text%"$cr"}" ]; do
    text=$(printf '%s' "${text%"$cr"}")
  done
  printf '%s' "$text"
}

cli=redis-cli
command -v redis-cli >/dev/null 2>&1 || cli=valkey-cli

REDISCLI_AUTH=$(password)
VALKEYCLI_AUTH=$REDISCLI_AUTH
export REDISCLI_AUTH VALKEYCLI_AUTH
if [ -z "$REDISCLI_AUTH" ]; then unset REDISCLI_AUTH VALKEYCLI_AUTH; fi
