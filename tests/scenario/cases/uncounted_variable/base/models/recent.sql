select {{ var('cutoff') }} as a
