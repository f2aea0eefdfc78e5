// momentumSgd where all parameters of an arena share a group, its momentum has the plain form, and all have had gradients or none has.
// Nothing is looked up: neighbours take neighbouring vec4s, in one loop, whose test comes first since its one extra turn costs nothing
// beside so many. The values of momentumSgd, and with `follow` of momentumSgdEma. Lines marked @lib stand in for shaders/lib/update.wgsl.
// Grid: any number of invocations; they stride over the arena.

const WORKGROUP = 64u;

struct Params { count: u32 } // in vec4s

@group(0) @binding(0) var<storage, read_write> param: array<vec4<f32>>;
@group(0) @binding(1) var<storage, read> grad: array<vec4<f32>>;
@group(0) @binding(2) var<storage, read_write> momentum: array<vec4<f32>>;
@group(0) @binding(3) var<storage, read_write> key: array<vec4<f32>>; // where something follows
@group(0) @binding(4) var<uniform> groups: array<Group, 32>;
@group(0) @binding(5) var<uniform> coefficients: vec4<f32>; // m, 1 - m
@group(0) @binding(6) var<uniform> params: Params;

struct Group { lr: f32, momentum: f32, one_minus_dampening: f32, weight_decay: f32, nesterov: f32, classical: f32, maximize: f32, first: f32 } // @lib
struct Sgd { param: vec4<f32>, momentum: vec4<f32> } // @lib
fn plain_sgd(group: Group, param: vec4<f32>, grad: vec4<f32>, momentum: vec4<f32>) -> Sgd { return Sgd(param, momentum); } // @lib

fn follow(i: u32, moved: vec4<f32>) { } // @hook

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(global_invocation_id) id: vec3<u32>, @builtin(num_workgroups) workgroups: vec3<u32>) {
  let group = groups[0];
  let stride = workgroups.x * WORKGROUP;
  for (var i = id.x; i < params.count; i += stride) {
    let sgd = plain_sgd(group, param[i], grad[i], momentum[i]);
    param[i] = sgd.param;
    momentum[i] = sgd.momentum;
    follow(i, sgd.param);
  }
}
