// First pass of lars: of each block of 64 elements, the sums of param^2 and of (grad + weight_decay * param)^2. What lies beyond
// a parameter's end counts as 0. LANES invocations share a block. Lines marked @lib stand in for shaders/lib/update.wgsl.
// Grid: (ceil(blocks * LANES / WORKGROUP), 1, 1), folded into y beyond 65,535.

const WORKGROUP = 64u;
const LANES = 16u; // a power of 2 up to 16
const STATE_ADAPTED = 2u;

struct Params { blocks: u32 }

@group(0) @binding(0) var<storage, read> param: array<vec4<f32>>;
@group(0) @binding(1) var<storage, read> grad: array<vec4<f32>>;
@group(0) @binding(2) var<storage, read> blocks: array<u32>; // of each 64 elements: its segment
@group(0) @binding(3) var<storage, read> segments: array<u32>; // group << 2 | state
@group(0) @binding(4) var<storage, read> ranges: array<vec2<u32>>; // of a segment: its first element, and the one after its last
@group(0) @binding(5) var<storage, read_write> sums: array<vec2<f32>>;
@group(0) @binding(6) var<uniform> groups: array<LarsGroup, 32>;
@group(0) @binding(7) var<uniform> params: Params;

struct LarsGroup { lr: f32, momentum: f32, weight_decay: f32, trust_coefficient: f32 } // @lib
fn is_within4(first: u32, end: u32) -> vec4<bool> { return vec4<bool>(first < end); } // @lib

var<workgroup> shared_sums: array<vec2<f32>, WORKGROUP>;

fn sums_of(block: u32, lane: u32) -> vec2<f32> {
  if (block >= params.blocks) { return vec2<f32>(0.0); }
  let segment = blocks[block];
  let word = segments[segment];
  if ((word & 3u) != STATE_ADAPTED) { return vec2<f32>(0.0); }
  let weight_decay = groups[word >> 2u].weight_decay;
  let end = ranges[segment].y;
  var total = vec2<f32>(0.0);
  var i = 16u * block + lane;
  loop {
    let is_within = is_within4(4u * i, end);
    let p = select(vec4<f32>(0.0), param[i], is_within);
    let update = select(vec4<f32>(0.0), grad[i] + weight_decay * param[i], is_within);
    total += vec2<f32>(dot(p, p), dot(update, update));
    continuing {
      i += LANES;
      break if i >= 16u * (block + 1u);
    }
  }
  return total;
}

@compute @workgroup_size(WORKGROUP)
fn main(
  @builtin(local_invocation_index) local: u32,
  @builtin(workgroup_id) workgroup: vec3<u32>,
  @builtin(num_workgroups) workgroups: vec3<u32>,
) {
  let lane = local % LANES;
  let block = ((workgroup.y * workgroups.x + workgroup.x) * WORKGROUP + local) / LANES;
  shared_sums[local] = sums_of(block, lane);
  for (var half = LANES / 2u; half > 0u; half /= 2u) {
    workgroupBarrier();
    if (lane < half) { shared_sums[local] += shared_sums[local + half]; }
  }
  if ((lane == 0u) & (block < params.blocks)) {
    sums[block] = shared_sums[local];
  }
}
