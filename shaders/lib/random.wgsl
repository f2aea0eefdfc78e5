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
