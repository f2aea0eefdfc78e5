/** Compute pipelines, cached by their WGSL text, with the bind group layout that the text declares. */

import { InternalError, KernelError } from "../errors";
import type { GpuContext } from "./memory";

export type BindingType = "uniform" | "read" | "read_write";

/** What a shader's bindings are. Shaders that declare the same ones share a layout, and so bind groups. */
export interface BindingLayout {
  /** Type by binding number; of group 0, the only one. */
  readonly types: ReadonlyMap<number, BindingType>;
  readonly raw: GPUBindGroupLayout;
}

/** A kernel: being compiled, there, or failed. */
export interface Pipeline {
  /** Kernel name. */
  readonly label: string;
  readonly state: "compiling" | "ready" | "failed";
  /** Null until it is ready. */
  readonly raw: GPUComputePipeline | null;
  readonly layout: BindingLayout;
  /** Why it does not compile, as soon as that is known. */
  readonly error: KernelError | null;
}

type MutablePipeline = { -readonly [K in keyof Pipeline]: Pipeline[K] };

/** Pipelines kept for plans to come. Those that a plan holds work on when they are forgotten here. */
const MAX_PIPELINES = 1024;

export class PipelineCache {
  /** Most recently asked for last. */
  private readonly byText = new Map<string, Pipeline>();
  private readonly layouts = new Map<string, BindingLayout>();

  constructor(private readonly context: GpuContext) {}

  get(label: string, wgsl: string): Pipeline {
    const cached = this.byText.get(wgsl);
    this.byText.delete(wgsl);
    const pipeline = cached ?? this.create(label, wgsl);
    this.byText.set(wgsl, pipeline);
    if (this.byText.size > MAX_PIPELINES) this.byText.delete(this.byText.keys().next().value!);
    return pipeline;
  }

  private create(label: string, code: string): Pipeline {
    const { device, counters, faults } = this.context;
    const layout = this.layout(label, code);
    device.pushErrorScope("internal"); // the driver's compiler failed
    device.pushErrorScope("validation"); // ours did: the text is not valid WGSL
    const module = device.createShaderModule({ label, code });
    const pipelineLayout = device.createPipelineLayout({ label, bindGroupLayouts: [layout.raw] });
    const pipeline: MutablePipeline = { label, state: "compiling", raw: null, layout, error: null };
    const compiled = this.compile(pipeline, { label, layout: pipelineLayout, compute: { module } });
    counters.pipelinesCreated++;
    const scopes = Promise.all([device.popErrorScope(), device.popErrorScope()]);
    const settled = this.failureOf(compiled, scopes)
      .then(async (reason) => {
        if (reason === null) return null;
        pipeline.error = new KernelError(await compileMessage(label, code, module, reason));
        pipeline.state = "failed"; // not before it is known why
        return pipeline.error;
      })
      .finally(() => {
        if (pipeline.raw === null) pipeline.state = "failed"; // gone with its device
        this.context.sequence.advance();
      });
    faults.watch(settled, faults.submits + 1);
    return pipeline;
  }

  /**
   * Drivers compile beside the page, several kernels at a time. SwiftShader compiles one at a time anyhow, and takes a third longer
   * when it is asked for all at once.
   */
  private async compile(pipeline: MutablePipeline, descriptor: GPUComputePipelineDescriptor): Promise<void> {
    const { device, limits } = this.context;
    pipeline.raw =
      limits.adapterClass === "software"
        ? device.createComputePipeline(descriptor)
        : await device.createComputePipelineAsync(descriptor);
    pipeline.state = "ready"; // as far as is known by now
  }

  /** Why a kernel does not compile; null where it does, or is gone with its device. */
  private async failureOf(
    compiled: Promise<void>,
    scopes: Promise<readonly (GPUError | null)[]>,
  ): Promise<string | null> {
    scopes.catch(() => undefined); // awaited below, but maybe later than it rejects
    try {
      await compiled;
    } catch (reason) {
      // browsers tell of a loss as of a failure of the driver
      if ((reason as Partial<GPUPipelineError>).reason !== "validation" && (await this.context.faults.isLoss()))
        return null;
      return messageOf(await scopes) ?? String(reason);
    }
    return messageOf(await scopes);
  }

  /** Explicit, not "auto": a binding that a specialised shader does not touch stays in it, and layouts can be shared. */
  private layout(label: string, wgsl: string): BindingLayout {
    const types = declaredBindings(label, wgsl);
    const storage = [...types.values()].filter((type) => type !== "uniform").length;
    const { maxStorageBuffersPerShaderStage: most } = this.context.limits;
    if (storage > most) throw new InternalError(`${label}: at most ${most} storage buffers, got ${storage}.`);

    const key = [...types].map(([binding, type]) => `${binding}:${type}`).join();
    const cached = this.layouts.get(key);
    if (cached) return cached;
    const entries = [...types].map(([binding, type]) => ({
      binding,
      visibility: GPUShaderStage.COMPUTE,
      buffer: { type: bufferTypes[type] },
    }));
    const layout = { types, raw: this.context.device.createBindGroupLayout({ label: key, entries }) };
    this.layouts.set(key, layout);
    return layout;
  }
}

const messageOf = (errors: readonly (GPUError | null)[]): string | null =>
  errors.find((error) => error !== null)?.message ?? null;

const bufferTypes = { uniform: "uniform", read: "read-only-storage", read_write: "storage" } as const;

const comments = /\/\/.*|\/\*[^]*?\*\//g;
const declaration = /@group\(0\)\s*@binding\((\d+)\)\s*var\s*<\s*(uniform|storage)\s*(?:,\s*(read|read_write)\s*)?>/g;

/** Reads `@group(0) @binding(n) var<...>` declarations: the only form that shaders use. Sorted by number. */
export function declaredBindings(label: string, wgsl: string): Map<number, BindingType> {
  const text = wgsl.replace(comments, "");
  const found = [...text.matchAll(declaration)].map(([, binding, space, access = "read"]): [number, BindingType] => [
    Number(binding),
    space === "uniform" ? "uniform" : (access as "read" | "read_write"),
  ]);
  const declared = text.match(/@binding\b/g)?.length ?? 0;
  const types = new Map(found.sort(([a], [b]) => a - b));
  if (types.size !== declared) {
    throw new InternalError(
      `${label}: each binding must be declared once as "@group(0) @binding(n) var<storage|uniform...>", ` +
        `got ${declared} @binding attributes, of which ${types.size} are so.`,
    );
  }
  return types;
}

/** `matmul: the shader must compile, got "<message>"`, then each guilty line with its number and its text. */
async function compileMessage(label: string, wgsl: string, module: GPUShaderModule, reason: string): Promise<string> {
  const messages = await module.getCompilationInfo().then(
    (info) => info.messages,
    () => [],
  );
  const lines = wgsl.split("\n");
  const errors = messages
    .filter(({ type, lineNum }) => type === "error" && lineNum > 0)
    .map(({ lineNum, linePos, message }) => `\n  ${lineNum}:${linePos} ${message}\n    ${lines[lineNum - 1]?.trim()}`);
  return (
    `${label}: the shader must compile, got ${errors.length > 0 ? "these errors" : `"${reason}"`}. ` +
    `Please report this bug with the text of the shader.${errors.slice(0, 5).join("")}`
  );
}
