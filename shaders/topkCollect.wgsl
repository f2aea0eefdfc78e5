// Keys and indices of each row's best k, not yet sorted: first those better than the threshold, then as many equal to it as
// belong, both by index. Lines marked @lib stand in for shaders/lib/sortKey.wgsl.
// Grid: one invocation a chunk of a row, linear over (row, chunk), folded into x and y.

const WORKGROUP = 4u;

alias Input = f32;

struct Params { rows: u32, n: u32, k: u32, chunk: u32, chunks: u32, flip: u32 }

@group(0) @binding(0) var<storage, read> input: array<Input>;
@group(0) @binding(1) var<storage, read> thresholds: array<vec2<u32>>; // of each row: its k-th key, how many of that key belong
@group(0) @binding(2) var<storage, read> tallies: array<vec2<u32>>; // [rows, chunks]: better, equal
@group(0) @binding(3) var<storage, read_write> keys: array<u32>; // [rows, k]
@group(0) @binding(4) var<storage, read_write> output: array<i32>; // [rows, k]: indices
@group(0) @binding(5) var<uniform> params: Params;

fn sort_key(x: f32, flip: u32) -> u32 { return bitcast<u32>(x) ^ flip; } // @lib
fn key_of(x: Input) -> u32 { return sort_key(x, params.flip); } // @hook

@compute @workgroup_size(WORKGROUP)
fn main(
  @builtin(workgroup_id) workgroup: vec3<u32>,
  @builtin(num_workgroups) workgroups: vec3<u32>,
  @builtin(local_invocation_index) lane: u32,
) {
  let owner = (workgroup.y * workgroups.x + workgroup.x) * WORKGROUP + lane;
  let row = owner / params.chunks;
  if (row >= params.rows) {
    return;
  }
  var before = vec2(0u); // better and equal elements of the chunks before this one
  for (var chunk = row * params.chunks; chunk < owner; chunk++) {
    before += tallies[chunk];
  }
  let threshold = thresholds[row];
  var better = row * params.k + before.x;
  var equal = row * params.k + params.k - threshold.y + before.y;
  let begin = owner % params.chunks * params.chunk;
  for (var i = begin; i < min(begin + params.chunk, params.n); i++) {
    let key = key_of(input[row * params.n + i]);
    if (key > threshold.x) {
      keys[better] = key;
      output[better] = i32(i);
      better++;
    } else if (key == threshold.x && equal < (row + 1u) * params.k) {
      keys[equal] = key;
      output[equal] = i32(i);
      equal++;
    }
  }
}
