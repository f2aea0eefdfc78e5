// One turn of a stable merge sort, best first: pairs of sorted runs become runs of twice the length. An invocation writes `items`
// neighbours; where they start in both runs it finds by bisection (merge path: Odeh, Green et al. 2012).
// Grid: one invocation per `items` entries of a row, folded into x and y.

const WORKGROUP = 64u;

struct Params { rows: u32, n: u32, run: u32, items: u32 } // items divides 2 * run

@group(0) @binding(0) var<storage, read> keys: array<u32>; // [rows, n]
@group(0) @binding(1) var<storage, read> places: array<i32>;
@group(0) @binding(2) var<storage, read_write> merged_keys: array<u32>;
@group(0) @binding(3) var<storage, read_write> output: array<i32>; // places, merged
@group(0) @binding(4) var<uniform> params: Params;

@compute @workgroup_size(WORKGROUP)
fn main(
  @builtin(workgroup_id) workgroup: vec3<u32>,
  @builtin(num_workgroups) workgroups: vec3<u32>,
  @builtin(local_invocation_index) lane: u32,
) {
  let job = (workgroup.y * workgroups.x + workgroup.x) * WORKGROUP + lane;
  let jobs = (params.n + params.items - 1u) / params.items; // of a row
  if (job >= params.rows * jobs) {
    return;
  }
  let base = job / jobs * params.n;
  let first = job % jobs * params.items; // in the row
  let begin = first / (2u * params.run) * 2u * params.run;
  let middle = base + min(begin + params.run, params.n);
  let end = base + min(begin + 2u * params.run, params.n);
  let left = base + begin;

  // how many of the `taken` entries before `first` come from the left run: as many as are no worse than what they are merged with
  let taken = first - begin;
  var low = taken - min(taken, end - middle);
  var high = min(taken, middle - left);
  while (low < high) {
    let half = (low + high) / 2u;
    let stays = keys[left + half] >= keys[middle + taken - 1u - half];
    low = select(low, half + 1u, stays);
    high = select(half, high, stays);
  }
  var a = left + low;
  var b = middle + taken - low;
  for (var place = base + first; place < min(base + first + params.items, end); place++) {
    var source = b;
    if (b >= end || (a < middle && keys[a] >= keys[b])) {
      source = a;
      a++;
    } else {
      b++;
    }
    merged_keys[place] = keys[source];
    output[place] = places[source];
  }
}
