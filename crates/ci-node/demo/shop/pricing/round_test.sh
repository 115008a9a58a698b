. ./round.sh

expect() {
  got=$(round_cents "$1")
  if [ "$got" = "$2" ]; then
    echo "ok: $1 tenths are $2 cents"
  else
    echo "FAILED: $1 tenths should be $2 cents, got $got"
    exit 1
  fi
}

expect 0 0
expect 14 1
expect 15 2
expect 1999 200
