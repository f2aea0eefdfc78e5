// keys, places[row, 0..n]: runs of RUN neighbours in order, best first, equals by place: an insertion sort each.
// sortMerge makes one run of them. Lines marked @lib stand in for shaders/lib/sortKey.wgsl.
// Grid: one invocation a run, linear over (row, run), folded into x and y.

const WORKGROUP = 64u;
const RUN = 16u;

alias Input = f32;

struct Params { rows: u32, n: u32, runs: u32, flip: u32 } // runs: of a row; flip: 0 for the largest first, 0xffffffff for the smallest

@group(0) @binding(0) var<storage, read> input: array<Input>;
@group(0) @binding(1) var<storage, read_write> keys: array<u32>; // [rows, n]
@group(0) @binding(2) var<storage, read_write> output: array<i32>; // [rows, n]: places
@group(0) @binding(3) var<uniform> params: Params;

fn sort_key(x: f32, flip: u32) -> u32 { return bitcast<u32>(x) ^ flip; } // @lib
fn key_of(x: Input) -> u32 { return sort_key(x, params.flip); } // @hook

@compute @workgroup_size(WORKGROUP)
fn main(
  @builtin(workgroup_id) workgroup: vec3<u32>,
  @builtin(num_workgroups) workgroups: vec3<u32>,
  @builtin(local_invocation_index) lane: u32,
) {
  let job = (workgroup.y * workgroups.x + workgroup.x) * WORKGROUP + lane;
  if (job >= params.rows * params.runs) {
    return;
  }
  let base = job / params.runs * params.n;
  let begin = job % params.runs * RUN;
  let count = min(RUN, params.n - begin);
  var sorted_keys: array<u32, RUN>;
  var sorted_places: array<u32, RUN>;
  for (var i = 0u; i < count; i++) {
    let own = key_of(input[base + begin + i]);
    var place = i;
    while (place > 0u && sorted_keys[place - 1u] < own) {
      sorted_keys[place] = sorted_keys[place - 1u];
      sorted_places[place] = sorted_places[place - 1u];
      place--;
    }
    sorted_keys[place] = own;
    sorted_places[place] = begin + i;
  }
  for (var i = 0u; i < count; i++) {
    keys[base + begin + i] = sorted_keys[i];
    output[base + begin + i] = i32(sorted_places[i]);
  }
}
