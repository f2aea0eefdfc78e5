import js from "@eslint/js";
import { defineConfig, globalIgnores } from "eslint/config";
import tseslint from "typescript-eslint";

export default defineConfig(
  globalIgnores(["dist/", "demo/dist/", "coverage/", "tests/goldens/", ".puppeteerrc.cjs"]),
  js.configs.recommended,
  tseslint.configs.strictTypeChecked,
  {
    languageOptions: { parserOptions: { projectService: true, tsconfigRootDir: import.meta.dirname } },
    linterOptions: { reportUnusedDisableDirectives: "error" },
    rules: {
      // Numeric code indexes typed arrays in bounds it has just computed; `a[i]!` says so without a branch.
      "@typescript-eslint/no-non-null-assertion": "off",
      "@typescript-eslint/restrict-template-expressions": ["error", { allowNumber: true, allowBoolean: true }],
      "@typescript-eslint/restrict-plus-operands": ["error", { allowNumberAndString: true }],
      "@typescript-eslint/no-confusing-void-expression": ["error", { ignoreArrowShorthand: true }],
      // One namespace-like class per layer or op family is how PyTorch users read it.
      "@typescript-eslint/no-extraneous-class": "off",
      // Interfaces fix the async shape of what one backend does at once and another awaits.
      "@typescript-eslint/require-await": "off",
      "@typescript-eslint/no-unnecessary-condition": [
        "error",
        { allowConstantLoopConditions: "only-allowed-literals" },
      ],
      "@typescript-eslint/no-unused-vars": ["error", { argsIgnorePattern: "^_", varsIgnorePattern: "^_" }],
      "@typescript-eslint/consistent-type-imports": "error",
      "@typescript-eslint/explicit-module-boundary-types": "error",
      "@typescript-eslint/prefer-literal-enum-member": "off",
      "@typescript-eslint/unified-signatures": "off",
      eqeqeq: ["error", "always"],
      "no-console": "error",
      "object-shorthand": "error",
      "prefer-const": "error",
    },
  },
  {
    // People run these: printing is their job.
    files: ["src/dev/**", "scripts/**", "bench/**", "demo/**", "interop/**", "tests/**"],
    rules: { "no-console": "off" },
  },
  {
    files: ["tests/**", "bench/**", "demo/**", "interop/**"],
    rules: { "@typescript-eslint/explicit-module-boundary-types": "off" },
  },
  {
    // Typed by JSDoc; the compiler checks them, the finer rules expect TypeScript syntax.
    files: ["**/*.mjs"],
    extends: [tseslint.configs.disableTypeChecked],
    rules: { "@typescript-eslint/explicit-module-boundary-types": "off", "no-undef": "off" },
  },
  {
    files: ["**/*.ts"],
    rules: { "no-undef": "off" },
  },
);
