from collections.abc import AsyncIterable, AsyncIterator

from xg2g_backends import Backend, RemuxOptions


async def converted(chunks: AsyncIterable[bytes], backend: Backend) -> AsyncIterator[bytes]:
    async with await backend.open(RemuxOptions(bitrate=128_000)) as remuxer:
        async for chunk in chunks:
            yield (await remuxer.process(chunk)).data
        yield (await remuxer.finish()).data
