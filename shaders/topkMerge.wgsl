// One turn of a merge sort, best first, ties by lower index: runs of `run` sorted entries become runs of twice as many. An entry's
// place is its place in its own run plus the number of better entries in the other, found by bisection.
// Grid: one invocation an entry, folded into x and y.

const WORKGROUP = 64u;

struct Params { rows: u32, k: u32, run: u32 }

@group(0) @binding(0) var<storage, read> keys: array<u32>; // [rows, k]
@group(0) @binding(1) var<storage, read> indices: array<i32>;
@group(0) @binding(2) var<storage, read_write> merged_keys: array<u32>;
@group(0) @binding(3) var<storage, read_write> output: array<i32>; // indices, merged
@group(0) @binding(4) var<uniform> params: Params;

@compute @workgroup_size(WORKGROUP)
fn main(
  @builtin(workgroup_id) workgroup: vec3<u32>,
  @builtin(num_workgroups) workgroups: vec3<u32>,
  @builtin(local_invocation_index) lane: u32,
) {
  let entry = (workgroup.y * workgroups.x + workgroup.x) * WORKGROUP + lane;
  if (entry >= params.rows * params.k) {
    return;
  }
  let base = entry / params.k * params.k;
  let place = entry - base;
  let own = place / params.run;
  let key = keys[entry];
  let index = indices[entry];
  let other = min((own ^ 1u) * params.run, params.k);
  var low = other; // entries of the other run before `low` are better, those from `high` on are not
  var high = min(other + params.run, params.k);
  while (low < high) {
    let middle = (low + high) / 2u;
    let its_key = keys[base + middle];
    let better = its_key > key || (its_key == key && indices[base + middle] < index);
    low = select(low, middle + 1u, better);
    high = select(middle, high, better);
  }
  let target_place = base + (own & ~1u) * params.run + (place - own * params.run) + (low - other);
  merged_keys[target_place] = key;
  output[target_place] = index;
}
