-- Whether the tenant of a row "r" is (:operator) this one.
:before :operator :'tenant':after
