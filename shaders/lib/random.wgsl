// Philox4x32-10, a counter-based generator (Salmon et al. 2011): the same bits on every adapter and on the CPU.
// Element i of a tensor is word (i & 3) of the block at offset + (i >> 2); the counter's words 2 and 3 are 0.

// Low and high word of the 64-bit product, from 16-bit halves.
fn wide_product(a: u32, b: u32) -> vec2<u32> {
  let low = (a & 0xffffu) * (b & 0xffffu);
  let middle = (a >> 16u) * (b & 0xffffu) + (low >> 16u);
  let carry = (a & 0xffffu) * (b >> 16u) + (middle & 0xffffu);
  return vec2<u32>(a * b, (a >> 16u) * (b >> 16u) + (middle >> 16u) + (carry >> 16u));
}

// Ten rounds; keys grow by the golden ratio and by sqrt(3) - 1.
fn philox(counter: vec4<u32>, key0: u32, key1: u32) -> vec4<u32> {
  var x = counter;
  var k0 = key0;
  var k1 = key1;
  for (var round = 0u; round < 10u; round++) {
    let p0 = wide_product(0xd2511f53u, x.x);
    let p1 = wide_product(0xcd9e8d57u, x.z);
    x = vec4<u32>(p1.y ^ x.y ^ k0, p1.x, p0.y ^ x.w ^ k1, p0.x);
    k0 += 0x9e3779b9u;
    k1 += 0xbb67ae85u;
  }
  return x;
}

fn philox_block(counter_low: u32, counter_high: u32, key0: u32, key1: u32) -> vec4<u32> {
  return philox(vec4<u32>(counter_low, counter_high, 0u, 0u), key0, key1);
}

// The block that holds an element.
fn random_block(index: u32, seed_low: u32, seed_high: u32, offset_low: u32, offset_high: u32) -> vec4<u32> {
  let low = offset_low + (index >> 2u);
  return philox_block(low, offset_high + select(0u, 1u, low < offset_low), seed_low, seed_high);
}

fn random_bits(index: u32, seed_low: u32, seed_high: u32, offset_low: u32, offset_high: u32) -> u32 {
  return random_block(index, seed_low, seed_high, offset_low, offset_high)[index & 3u];
}

// Four neighbours that fill a block are computed once.
fn random_bits4(index: vec4<u32>, seed_low: u32, seed_high: u32, offset_low: u32, offset_high: u32) -> vec4<u32> {
  let first = random_block(index.x, seed_low, seed_high, offset_low, offset_high);
  if (all(index == vec4<u32>(index.x & ~3u) + vec4<u32>(0u, 1u, 2u, 3u))) { return first; }
  return vec4<u32>(
    first[index.x & 3u],
    random_bits(index.y, seed_low, seed_high, offset_low, offset_high),
    random_bits(index.z, seed_low, seed_high, offset_low, offset_high),
    random_bits(index.w, seed_low, seed_high, offset_low, offset_high),
  );
}

// --- drawing by weight: integers alone decide, so that every adapter draws the same --------------------------------------

// Mantissa (24 bits) and exponent of a positive f32; what is 0, subnormal, negative, infinite or NaN has mantissa 0.
fn weight_parts(weight: f32) -> vec2<u32> {
  let bits = bitcast<u32>(weight);
  let exponent = bits >> 23u;
  let is_positive = (exponent > 0u) & (exponent < 255u);
  return vec2<u32>(select(0u, (bits & 0x7fffffu) | 0x800000u, is_positive), exponent);
}

// floor(weight * 2^k) for the k that leaves the largest weight of a row `room` bits, more where `total` of a first round is small
fn fixed_weight(weight: f32, largest: f32, total: u32, room: u32) -> u32 {
  let parts = weight_parts(weight);
  let shift = i32(parts.y + room + countLeadingZeros(total)) - i32(weight_parts(largest).y) - 24;
  let up = parts.x << min(u32(max(shift, 0)), 31u);
  return select(parts.x >> min(u32(-min(shift, 0)), 31u), up, shift >= 0);
}

// -log2 of (2 bits + 1) / 2^33, in units of 2^-26, never 0: its integer part by counting zeros, its digits by squaring
fn exponential_draw(bits: u32) -> u32 {
  let lead = 32u - countLeadingZeros(bits); // floor(log2(2 bits + 1))
  var mantissa = select(((bits << 1u) | 1u) << (31u - min(lead, 31u)), bits, lead == 32u);
  var logarithm = lead;
  for (var digit = 0u; digit < 26u; digit++) {
    let squared = wide_product(mantissa, mantissa);
    let is_one = squared.y >= 0x80000000u;
    mantissa = select((squared.y << 1u) | (squared.x >> 31u), squared.y, is_one);
    logarithm = (logarithm << 1u) | select(0u, 1u, is_one);
  }
  return 33u * 67108864u - logarithm;
}

// The order of exponential_draw(bits) / weight, as a float of 9 bits of exponent and 23 of mantissa; the last for weight 0
fn race_key(bits: u32, weight: f32) -> u32 {
  let parts = weight_parts(weight);
  if (parts.x == 0u) { return 0xffffffffu; }
  let drawn = exponential_draw(bits);
  let zeros = countLeadingZeros(drawn);
  let numerator = drawn << zeros;
  let high = numerator / parts.x;
  let middle_rest = (numerator % parts.x) << 8u;
  let low_rest = (middle_rest % parts.x) << 8u;
  let quotient = (high << 16u) | ((middle_rest / parts.x) << 8u) | (low_rest / parts.x); // 24 or 25 bits
  let is_long = quotient >= 0x1000000u;
  let exponent = 31u - zeros + 255u - parts.y + select(0u, 1u, is_long);
  return (exponent << 23u) | (select(quotient, quotient >> 1u, is_long) & 0x7fffffu);
}

fn fixed_weight4(weight: vec4<f32>, largest: vec4<f32>, total: vec4<u32>, room: vec4<u32>) -> vec4<u32> {
  return vec4<u32>(
    fixed_weight(weight.x, largest.x, total.x, room.x),
    fixed_weight(weight.y, largest.y, total.y, room.y),
    fixed_weight(weight.z, largest.z, total.z, room.z),
    fixed_weight(weight.w, largest.w, total.w, room.w),
  );
}

fn race_key4(bits: vec4<u32>, weight: vec4<f32>) -> vec4<u32> {
  return vec4<u32>(
    race_key(bits.x, weight.x),
    race_key(bits.y, weight.y),
    race_key(bits.z, weight.z),
    race_key(bits.w, weight.w),
  );
}
