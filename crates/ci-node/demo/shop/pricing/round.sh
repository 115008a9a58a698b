# Rounds an amount in tenths of a cent to cents, half up.
round_cents() {
  echo $(( ($1 + 5) / 10 ))
}
