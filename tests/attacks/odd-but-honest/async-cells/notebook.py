# %%
import asyncio


async def later():
    await asyncio.sleep(0.01)
    return 3


print("it came:", await later())
