# Prints the bill for a cart of "<article> <price in cents> <quantity>" lines.
. "${PRICING:-../pricing}/total.sh"

bill() {
  cents=$(cut -d ' ' -f 2,3 | total)
  printf 'total: %d.%02d\n' $((cents / 100)) $((cents % 100))
}
