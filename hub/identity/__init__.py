"""Who is who. In: profiles as their sources see them. Out: customers, with a judgement for every join."""
