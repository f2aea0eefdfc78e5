import { readmeExamples } from "./suites/readme";

readmeExamples("webgpu");
