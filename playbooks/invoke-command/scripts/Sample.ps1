param($First, $Second)
foreach ($kind in $First, $Second) { [pscustomobject]@{Kind = $kind; Count = $kind.Length} }
