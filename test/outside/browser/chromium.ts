import { chromiumProgram, nodePackage } from '../prepare.ts'

/** What is used of playwright-core. */
export interface Page {
  goto(url: string): Promise<unknown>
  evaluate<Result, Argument>(
    run: (argument: Argument) => Result,
    argument: Argument,
  ): Promise<Awaited<Result>>
  evaluate<Result>(run: string): Promise<Result>
  exposeFunction(name: string, run: (text: string) => Promise<string>): Promise<void>
  on(event: 'console', listener: (message: { type(): string; text(): string }) => void): void
  on(event: 'pageerror', listener: (error: Error) => void): void
  on(event: 'request', listener: (request: { url(): string }) => void): void
  setViewportSize(size: { readonly width: number; readonly height: number }): Promise<void>
  waitForFunction(expression: string): Promise<unknown>
  close(): Promise<void>
}

export interface Browser {
  newPage(): Promise<Page>
  close(): Promise<void>
}

/** Chromium without a window. What it would send to its maker is off: tests speak to this machine only. */
export async function launchChromium(): Promise<Browser> {
  const { chromium } = nodePackage('playwright-core') as {
    chromium: { launch(options: object): Promise<Browser> }
  }
  return chromium.launch({
    executablePath: chromiumProgram(),
    // Root may not use the sandbox; the pages are our own.
    args: ['--no-sandbox', '--disable-background-networking', '--disable-component-update'],
  })
}
