// output[sample] = one view of images[index[sample]]: a crop, resized bilinearly, mirrored or not; its colours jittered, in an order
// of its own; grey or not; blurred or not; normalised. parameters[sample] holds what was drawn: see src/ops/augment.ts.
// One workgroup makes a sample and keeps it in the output meanwhile: the colours up to the contrast, whose mean it adds up; the other
// colours; a blur along x into `scratch`, and one along y back.
// Grid: one workgroup a sample, linear, folded into x and y.

const WORKGROUP = 64u; // a power of 2
const CHANNELS = 3u; // or 1
const TAPS = 3u; // side of the blur's kernel; 1 for no blur at all
const SUBPIXEL = 0u; // 1 for boxes that start and end anywhere, whose surroundings count
const BLOCK = 32u; // pixels that an invocation adds up before it adds their sum to that of others

const ALL_COLOURS = 4u; // brightness, contrast, saturation, hue: 0 to 3
const COLOURS = CHANNELS + 1u; // one channel has no saturation, and no hue
const CONTRAST = 1u;
const SATURATION = 2u;
const HUE = 3u;

struct Params {
  n: u32, count: u32, height: u32, width: u32, out_height: u32, out_width: u32, reciprocal: f32, // 1 / out_width
  offset: u32, stride: u32, gray_first: u32, // of parameters: where those of a sample are
  mean0: f32, mean1: f32, mean2: f32, std0: f32, std1: f32, std2: f32,
}

@group(0) @binding(0) var<storage, read> images: array<u32>; // [count, CHANNELS, height, width] bytes
@group(0) @binding(1) var<storage, read> index: array<i32>; // [n]
@group(0) @binding(2) var<storage, read> parameters: array<f32>; // [n, 14]
@group(0) @binding(3) var<storage, read_write> output: array<f32>; // [n, CHANNELS, out_height, out_width]
@group(0) @binding(4) var<storage, read_write> scratch: array<f32>; // the same, where there is a blur
@group(0) @binding(5) var<uniform> params: Params;

fn load_byte(i: u32) -> u32 { return (images[i / 4u] >> (8u * (i % 4u))) & 255u; } // @hook
fn quotient(n: u32, reciprocal: f32) -> u32 { return u32((f32(n) + 0.5) * reciprocal); } // @lib
fn ieee_exp(x: f32) -> f32 { return exp(x); } // @lib
fn nan_of(x: f32) -> f32 { return bitcast<f32>(bitcast<u32>(x) | 0x7fc00000u); } // @lib

var<workgroup> sums: array<f32, WORKGROUP>;
var<workgroup> weights: array<f32, TAPS>;

struct Drawn {
  image: u32, is_there: bool,
  top: f32, left: f32, height: f32, width: f32, is_mirrored: bool,
  colours: u32, // how many are changed: none or all
  order: u32, // of them, 4 bits each
  factors: vec4<f32>, // brightness, contrast, saturation, hue
  is_gray: bool, is_blurred: bool, sigma: f32,
}

fn drawn_for(sample: u32) -> Drawn {
  let at = params.offset + params.stride * sample;
  let image = u32(index[sample]); // negative ones become large
  return Drawn(
    min(image, params.count - 1u), image < params.count,
    parameters[at], parameters[at + 1u], parameters[at + 2u], parameters[at + 3u],
    parameters[at + 4u] != 0.0,
    select(0u, COLOURS, parameters[at + 5u] != 0.0),
    order_of(u32(parameters[at + 6u])),
    vec4<f32>(parameters[at + 7u], parameters[at + 8u], parameters[at + 9u], parameters[at + 10u]),
    parameters[at + 11u] != 0.0,
    (TAPS > 1u) & (parameters[at + 12u] != 0.0), parameters[at + 13u],
  );
}

// Permutation `number` of 0, 1, 2, 3 in lexicographic order, 4 bits each.
fn order_of(number: u32) -> u32 {
  var left = 0x3210u;
  var order = 0u;
  var place = 0u;
  for (var i = 0u; i < ALL_COLOURS; i++) {
    let digit = 4u * (number / select(select(1u, 2u, i == 1u), 6u, i == 0u) % (ALL_COLOURS - i));
    let colour = (left >> digit) & 15u;
    left = (left & ((1u << digit) - 1u)) | ((left >> (digit + 4u)) << digit);
    if (colour < COLOURS) {
      order |= colour << (4u * place);
      place++;
    }
  }
  return order;
}

fn colour_at(own: Drawn, place: u32) -> u32 { return (own.order >> (4u * place)) & 15u; }

// Where the contrast comes among the colours that are changed.
fn contrast_place(own: Drawn) -> u32 {
  for (var place = 0u; place < own.colours; place++) {
    if (colour_at(own, place) == CONTRAST) { return place; }
  }
  return own.colours;
}

// --- crop

struct Place { low: u32, high: u32, fraction: f32 } // two pixels along a side, and how far from the first

// Where pixel i of `count` lies along a box: (i + 0.5) * size / count - 0.5 from its start. Boxes are cut to the image.
fn place_of(i: u32, box_start: f32, box_size: f32, count: u32, side: u32) -> Place {
  if (SUBPIXEL == 1u) {
    let at = clamp(box_start + box_size / f32(count) * (f32(i) + 0.5) - 0.5, 0.0, f32(side - 1u));
    let low = min(u32(at), side - 1u);
    return Place(low, min(low + 1u, side - 1u), at - f32(low));
  }
  let size = clamp(u32(box_size), 1u, side);
  let start = min(u32(box_start), side - size);
  let numerator = u32(max(i32((2u * i + 1u) * size) - i32(count), 0)); // times 2 * count, exactly
  let low = numerator / (2u * count);
  let fraction = f32(numerator - low * 2u * count) / f32(2u * count);
  return Place(start + low, start + min(low + 1u, size - 1u), fraction);
}

fn between(low: f32, high: f32, fraction: f32) -> f32 { return low + (high - low) * fraction; }

fn cropped(own: Drawn, y: u32, x: u32) -> vec3<f32> {
  let row = place_of(y, own.top, own.height, params.out_height, params.height);
  let from_x = select(x, params.out_width - 1u - x, own.is_mirrored);
  let column = place_of(from_x, own.left, own.width, params.out_width, params.width);
  var pixel: vec3<f32>;
  // @unroll
  for (var c = 0u; c < CHANNELS; c++) {
    let plane = (own.image * CHANNELS + c) * params.height;
    let upper = (plane + row.low) * params.width;
    let lower = (plane + row.high) * params.width;
    let above = between(f32(load_byte(upper + column.low)), f32(load_byte(upper + column.high)), column.fraction);
    let below = between(f32(load_byte(lower + column.low)), f32(load_byte(lower + column.high)), column.fraction);
    pixel[c] = between(above, below, row.fraction) / 255.0;
  }
  return pixel;
}

// --- colours

fn gray_of(pixel: vec3<f32>) -> f32 {
  return select(0.2989 * pixel.x + 0.587 * pixel.y + 0.114 * pixel.z, pixel.x, CHANNELS == 1u);
}

fn blended(pixel: vec3<f32>, other: f32, factor: f32) -> vec3<f32> {
  return clamp(factor * pixel + (1.0 - factor) * other, vec3<f32>(0.0), vec3<f32>(1.0));
}

// Turned by `turn` of the colour circle, through HSV: channel n is largest - chroma * clamp(min(k, 4 - k), 0, 1) with
// k = n + 6 * hue mod 6, n being 5 for red, 3 for green, 1 for blue.
fn turned(pixel: vec3<f32>, turn: f32) -> vec3<f32> {
  let largest = max(max(pixel.x, pixel.y), pixel.z);
  let chroma = largest - min(min(pixel.x, pixel.y), pixel.z);
  if (chroma == 0.0) { return pixel; }
  var hue = 4.0 + (pixel.x - pixel.y) / chroma; // in sixths
  hue = select(hue, 2.0 + (pixel.z - pixel.x) / chroma, pixel.y == largest);
  hue = select(hue, (pixel.y - pixel.z) / chroma, pixel.x == largest);
  let sixths = vec3<f32>(5.0, 3.0, 1.0) + (hue + 6.0 * turn);
  let k = sixths - 6.0 * floor(sixths / 6.0);
  return largest - chroma * clamp(min(k, 4.0 - k), vec3<f32>(0.0), vec3<f32>(1.0));
}

// The colours of places `first` to `end - 1` in a sample's order.
fn jittered(pixel: vec3<f32>, own: Drawn, first: u32, end: u32, mean: f32) -> vec3<f32> {
  var result = pixel;
  for (var place = first; place < end; place++) {
    let colour = colour_at(own, place);
    if (CHANNELS == 3u && colour == HUE) {
      result = turned(result, own.factors.w);
    } else {
      let other = select(select(0.0, mean, colour == CONTRAST), gray_of(result), colour == SATURATION);
      result = blended(result, other, own.factors[colour]);
    }
  }
  return result;
}

fn grayed(pixel: vec3<f32>, is_gray: bool) -> vec3<f32> { return select(pixel, vec3<f32>(gray_of(pixel)), is_gray); }

// --- memory

fn area_of() -> u32 { return params.out_height * params.out_width; }

fn load(sample: u32, p: u32) -> vec3<f32> {
  var pixel: vec3<f32>;
  // @unroll
  for (var c = 0u; c < CHANNELS; c++) { pixel[c] = output[(sample * CHANNELS + c) * area_of() + p]; }
  return pixel;
}

fn store(sample: u32, p: u32, pixel: vec3<f32>) {
  // @unroll
  for (var c = 0u; c < CHANNELS; c++) { output[(sample * CHANNELS + c) * area_of() + p] = pixel[c]; }
}

fn store_normalised(sample: u32, p: u32, pixel: vec3<f32>, is_there: bool) {
  let value = (pixel - vec3<f32>(params.mean0, params.mean1, params.mean2)) / vec3<f32>(params.std0, params.std1, params.std2);
  store(sample, p, select(vec3<f32>(nan_of(value.x)), value, is_there));
}

// The sum of what all invocations have.
fn total_of(lane: u32, value: f32) -> f32 {
  sums[lane] = value;
  for (var half = WORKGROUP / 2u; half > 0u; half /= 2u) {
    workgroupBarrier();
    if (lane < half) { sums[lane] += sums[lane + half]; }
  }
  workgroupBarrier();
  return sums[0];
}

// --- blur

// Pixels of a side as if it went on mirrored about the last ones.
fn mirrored(i: i32, size: u32) -> u32 {
  let inside = abs(i);
  return u32(min(inside, 2 * (i32(size) - 1) - inside));
}

fn make_weights(lane: u32, sigma: f32) {
  for (var tap = lane; tap < TAPS; tap += WORKGROUP) {
    let part = (f32(tap) - f32(TAPS / 2u)) / sigma;
    weights[tap] = ieee_exp(-0.5 * part * part);
  }
  workgroupBarrier();
}

fn blur_along_x(sample: u32, y: u32, x: u32, total: f32) {
  var sum = vec3<f32>(0.0);
  for (var tap = 0u; tap < TAPS; tap++) {
    let from_x = mirrored(i32(x + tap) - i32(TAPS / 2u), params.out_width);
    sum += weights[tap] * load(sample, y * params.out_width + from_x);
  }
  // @unroll
  for (var c = 0u; c < CHANNELS; c++) {
    scratch[(sample * CHANNELS + c) * area_of() + y * params.out_width + x] = sum[c] / total;
  }
}

fn blurred_along_y(sample: u32, y: u32, x: u32, total: f32) -> vec3<f32> {
  var sum = vec3<f32>(0.0);
  for (var tap = 0u; tap < TAPS; tap++) {
    let from_y = mirrored(i32(y + tap) - i32(TAPS / 2u), params.out_height);
    // @unroll
    for (var c = 0u; c < CHANNELS; c++) {
      sum[c] += weights[tap] * scratch[(sample * CHANNELS + c) * area_of() + from_y * params.out_width + x];
    }
  }
  return sum / total;
}

@compute @workgroup_size(WORKGROUP)
fn main(
  @builtin(workgroup_id) workgroup: vec3<u32>,
  @builtin(num_workgroups) workgroups: vec3<u32>,
  @builtin(local_invocation_index) lane: u32,
) {
  let sample = workgroup.y * workgroups.x + workgroup.x;
  if (sample >= params.n) {
    return;
  }
  let own = drawn_for(sample);
  let area = area_of();
  let contrast = contrast_place(own);
  let is_gray_first = params.gray_first != 0u;

  var sum = 0.0;
  for (var block = lane; block < area; block += BLOCK * WORKGROUP) {
    var part = 0.0;
    for (var p = block; p < min(block + BLOCK * WORKGROUP, area); p += WORKGROUP) {
      let y = quotient(p, params.reciprocal);
      let pixel = grayed(cropped(own, y, p - y * params.out_width), own.is_gray & is_gray_first);
      let coloured = jittered(pixel, own, 0u, contrast, 0.0);
      part += gray_of(coloured);
      store(sample, p, coloured);
    }
    sum += part;
  }

  var mean = 0.0;
  if (own.colours > 0u) {
    mean = total_of(lane, sum) / f32(area);
  }
  for (var p = lane; p < area; p += WORKGROUP) { // an invocation's own pixels: nobody else has written them
    let coloured = jittered(load(sample, p), own, contrast, own.colours, mean);
    let pixel = grayed(coloured, own.is_gray & !is_gray_first);
    if (own.is_blurred) {
      store(sample, p, pixel);
    } else {
      store_normalised(sample, p, pixel, own.is_there);
    }
  }

  if (own.is_blurred) {
    make_weights(lane, own.sigma);
    var total = 0.0;
    for (var tap = 0u; tap < TAPS; tap++) {
      total += weights[tap];
    }
    storageBarrier();
    for (var p = lane; p < area; p += WORKGROUP) {
      let y = quotient(p, params.reciprocal);
      blur_along_x(sample, y, p - y * params.out_width, total);
    }
    storageBarrier();
    for (var p = lane; p < area; p += WORKGROUP) {
      let y = quotient(p, params.reciprocal);
      store_normalised(sample, p, blurred_along_y(sample, y, p - y * params.out_width, total), own.is_there);
    }
  }
}
