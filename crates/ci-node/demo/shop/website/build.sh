. ../cart/cart.sh

cat <<HTML
<!doctype html>
<html lang="en">
<title>Shop</title>
<h1>Your cart</h1>
<p>$(printf 'apple 30 3\n' | bill)</p>
</html>
HTML
