"""The trade: words, prices, rules and rankings, as pure functions over plain values."""
