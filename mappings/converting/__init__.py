"""Values: times, amounts, numbers, countries, currencies, intents."""
