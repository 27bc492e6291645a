# Sourced by scripts that call redis-cli: hands it the password of this instance, if there is one, in the environment.
if [ -f /etc/kvrocks-auth/password ]; then
  REDISCLI_AUTH=$(cat /etc/kvrocks-auth/password)
  export REDISCLI_AUTH
  if [ -z "$REDISCLI_AUTH" ]; then unset REDISCLI_AUTH; fi
fi
