-- Whether a row "r" is another tenant's and refers to the row with these keys.
:theirs AND (:children) = (:keys)
