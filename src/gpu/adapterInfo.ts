/** What users see of an adapter: a file of its own, since older compilers do not know the types of WebGPU. */

/** What is known of the adapter. Strings are empty where the browser does not tell. */
export interface AdapterInfo {
  readonly vendor: string;
  readonly architecture: string;
  readonly device: string;
  readonly description: string;
  /** The browser calls it a fallback: it runs on the CPU. */
  readonly isFallback: boolean;
  /** It runs on the CPU: the browser says so, or it bears the name of a rasteriser that does. */
  readonly isSoftware: boolean;
  /**
   * Most bytes of an array that every kernel takes: the device's `maxStorageBufferBindingSize`, Infinity on the CPU. Elementwise ops and
   * reductions take larger ones, too.
   */
  readonly maxStorageBufferBindingSize: number;
  /** Features of the device, sorted. */
  readonly features: readonly string[];
  /** Undefined where the browser does not tell. */
  readonly subgroupMinSize: number | undefined;
  readonly subgroupMaxSize: number | undefined;
}
