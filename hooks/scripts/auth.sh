# Sourced by the other scripts. The function password prints the password of this instance, if there is one, without the line
# ends that an editor leaves behind it, LF and CRLF: the sidecar drops them as well. Scripts that call redis-cli find it in the
# environment.
password() {
  if [ ! -f /etc/kvrocks-auth/password ]; then return 0; fi
  text=$(cat /etc/kvrocks-auth/password) # drops every LF at the end
  cr=$(printf '\r')
  while [ "$text" != "${text%"$cr"}" ]; do
    text=$(printf '%s' "${text%"$cr"}")
  done
  printf '%s' "$text"
}

REDISCLI_AUTH=$(password)
export REDISCLI_AUTH
if [ -z "$REDISCLI_AUTH" ]; then unset REDISCLI_AUTH; fi
