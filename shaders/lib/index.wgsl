// Division of indices by a constant, through its reciprocal: software adapters have no fast integer division.
// Exact for n < 2^21: n + 0.5 is exact, and the two roundings stay below the half that keeps it off whole numbers.

fn quotient(n: u32, reciprocal: f32) -> u32 { return u32((f32(n) + 0.5) * reciprocal); }
fn quotient4(n: vec4<u32>, reciprocal: f32) -> vec4<u32> { return vec4<u32>((vec4<f32>(n) + 0.5) * reciprocal); }

fn rest(n: u32, divisor: u32, reciprocal: f32) -> u32 { return n - quotient(n, reciprocal) * divisor; }
fn rest4(n: vec4<u32>, divisor: u32, reciprocal: f32) -> vec4<u32> { return n - quotient4(n, reciprocal) * divisor; }
