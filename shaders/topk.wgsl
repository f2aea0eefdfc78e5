// output[row, r] = index of the r-th largest (or smallest) of input[row, 0..n], ties by lower index, NaN largest.
// For small k: one scan of the row for each r. topkHistogram and its successors serve the rest. Lines marked @lib stand in for shaders/lib/sortKey.wgsl.
// Grid: one invocation a row, folded into x and y.

const WORKGROUP = 4u;

alias Input = f32;

struct Params { rows: u32, n: u32, k: u32, flip: u32 } // flip: 0 for the largest, 0xffffffff for the smallest

@group(0) @binding(0) var<storage, read> input: array<Input>;
@group(0) @binding(1) var<storage, read_write> output: array<i32>;
@group(0) @binding(2) var<uniform> params: Params;

fn sort_key(x: f32, flip: u32) -> u32 { return bitcast<u32>(x) ^ flip; } // @lib
fn key_of(x: Input) -> u32 { return sort_key(x, params.flip); } // @hook

@compute @workgroup_size(WORKGROUP)
fn main(
  @builtin(workgroup_id) workgroup: vec3<u32>,
  @builtin(num_workgroups) workgroups: vec3<u32>,
  @builtin(local_invocation_index) lane: u32,
) {
  let row = (workgroup.y * workgroups.x + workgroup.x) * WORKGROUP + lane;
  if (row >= params.rows) {
    return;
  }
  var last_key = 0xffffffffu;
  var last = -1; // index of the previous rank
  for (var rank = 0u; rank < params.k; rank++) {
    var best_key = 0u;
    var best = -1;
    for (var i = 0; i < i32(params.n); i++) {
      let key = key_of(input[row * params.n + u32(i)]);
      let later = (key < last_key) | ((key == last_key) & (i > last));
      let better = later & ((key > best_key) | (best < 0));
      best_key = select(best_key, key, better);
      best = select(best, i, better);
    }
    output[row * params.k + rank] = best;
    last_key = best_key;
    last = best;
  }
}
