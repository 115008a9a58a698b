# Adds up "<price in cents> <quantity>" lines from standard input.
total() {
  awk '{ sum += $1 * $2 } END { print sum + 0 }'
}
