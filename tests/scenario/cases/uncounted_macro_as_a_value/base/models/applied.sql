select {{ applying(doubled, '1') }} as a
