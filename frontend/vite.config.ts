import react from "@vitejs/plugin-react";
import { defineConfig } from "vitest/config";
import { docs } from "./plugins/docs.ts";
import { settings } from "./plugins/settings.ts";

/** The policy that the app must work under: at least as strict as what the API sends with it. */
const POLICY =
  "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; " +
  "frame-ancestors 'none'; base-uri 'none'; form-action 'none'";

/** The Host header stays the browser's, so that the API finds its own pages at the origin of a write. */
const proxy = { "/api": { target: process.env.LETHE_API ?? "http://127.0.0.1:8000" } };

/** What the app shows from outside this folder. */
const DOCS = "../docs";

export default defineConfig({
  plugins: [react(), docs(), settings()],
  server: { proxy, fs: { allow: [".", DOCS] } },
  preview: { proxy, headers: { "Content-Security-Policy": POLICY } },
  build: {
    assetsInlineLimit: 0,
    chunkSizeWarningLimit: 600, // kB: the index of the documentation, which loads with the first search
    // What pages share is one file, not a dozen small ones.
    rolldownOptions: {
      output: { codeSplitting: { groups: [{ name: "shared", test: /src\/(api|ui|words)\// }] } },
    },
  },
  test: { include: ["src/**/*.test.ts"] },
});
