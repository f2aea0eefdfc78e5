/** What a Gpu has done since it was made. Running totals: take the difference of two readings. */
export interface GpuCounters {
  /** Kernels launched. */
  dispatches: number;
  /** Calls of `queue.submit`. */
  submits: number;
  /** GPUBuffers created, staging buffers included. */
  buffersCreated: number;
  bindGroupsCreated: number;
  pipelinesCreated: number;
  /** Buffer-to-buffer copies, those into staging buffers included. */
  copies: number;
  /** Ranges written from the host. */
  writes: number;
  bytesUploaded: number;
  bytesRead: number;
}

export const newCounters = (): GpuCounters => ({
  dispatches: 0,
  submits: 0,
  buffersCreated: 0,
  bindGroupsCreated: 0,
  pipelinesCreated: 0,
  copies: 0,
  writes: 0,
  bytesUploaded: 0,
  bytesRead: 0,
});
