/// A u32 in the order of x, NaN above everything. With `flip` = 0xffffffff the order is reversed, NaN at the bottom.
fn sort_key(x: f32, flip: u32) -> u32 {
  let bits = bitcast<u32>(x);
  let magnitude = bits & 0x7fffffffu;
  let negative = bits > 0x80000000u; // -0 equals 0
  let ordered = select(magnitude | 0x80000000u, ~bits, negative);
  return select(ordered, 0xffffffffu, magnitude > 0x7f800000u) ^ flip;
}
